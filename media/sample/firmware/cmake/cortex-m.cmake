# Toolchain file: cmake -B build/m4 -DCMAKE_TOOLCHAIN_FILE=cmake/cortex-m.cmake -DCORE=m4
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY) # nothing links without a board's linker script

set(CORE m4 CACHE STRING "Processor core: m0plus, m3, m4 or m7")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CORE)
set(CPU_m0plus "-mcpu=cortex-m0plus -mfloat-abi=soft")
set(CPU_m3 "-mcpu=cortex-m3 -mfloat-abi=soft")
set(CPU_m4 "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard")
set(CPU_m7 "-mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard")
# QEMU has no board with an M0+ and enough memory; the M3 runs the same instructions.
set(MACHINE_m0plus mps2-an385)
set(MACHINE_m3 mps2-an385)
set(MACHINE_m4 mps2-an386)
set(MACHINE_m7 mps2-an500)
if(NOT DEFINED CPU_${CORE})
  message(FATAL_ERROR "CORE=${CORE} is not known; choose m0plus, m3, m4 or m7")
endif()
set(QEMU_MACHINE ${MACHINE_${CORE}})
set(CMAKE_C_FLAGS_INIT "-mthumb ${CPU_${CORE}} -ffunction-sections -fdata-sections")
