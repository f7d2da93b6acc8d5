# -*- coding: utf-8 -*-
"""The constants of ALVideoDevice that programs of the older style take from `vision_definitions`."""

kTopCamera, kBottomCamera = 0, 1
kQQVGA, kQVGA, kVGA, k4VGA, k16VGA, kQQQVGA, kQQQQVGA = 0, 1, 2, 3, 4, 7, 8
kYuvColorSpace, kYUV422ColorSpace, kYUVColorSpace = 0, 9, 10
kRGBColorSpace, kHSYColorSpace, kBGRColorSpace = 11, 12, 13
kCameraBrightnessID, kCameraContrastID, kCameraSaturationID, kCameraHueID, kCameraGainID = 0, 1, 2, 3, 6
kCameraHFlipID, kCameraVFlipID, kCameraAutoExpositionID, kCameraAutoWhiteBalanceID = 7, 8, 11, 12
kCameraAutoGainID, kCameraResolutionID, kCameraFrameRateID, kCameraExposureID = 13, 14, 15, 17
kCameraSelectID, kCameraExposureAlgorithmID, kCameraSharpnessID = 18, 22, 24
kCameraWhiteBalanceID, kCameraBacklightCompensationID = 33, 34
